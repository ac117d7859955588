@echo off
rem bench\compare.cmd [OPTIONS]: builds, then runs compare.exe, which does all the measuring:
rem iocp_server and rio_server in turn (A B B A) under the same loads, tables and a report in
rem build\compare. --help lists its options. Exit 2: something to build with is missing (one line
rem says what), or a bad option. bench/compare.sh is its counterpart on Debian.
setlocal
call "%~dp0..\scripts\build-windows.cmd"
if not %RS_RESULT%==0 exit /b %RS_RESULT%
pushd "%~dp0.."
"%RS_BIN%\compare.exe" %*
set RS_RESULT=%ERRORLEVEL%
popd
exit /b %RS_RESULT%
