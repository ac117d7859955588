@rem SPDX-License-Identifier: MIT
@echo off
rem tests\run.cmd: builds and runs every test on Windows. Exit 0: all passed; 2: something to
rem build with is missing (one line says what). tests/run.sh is its counterpart on Debian.
setlocal
call "%~dp0..\scripts\build-windows.cmd"
if not %RS_RESULT%==0 exit /b %RS_RESULT%
ctest --test-dir "%RS_BUILD%" -C %RS_CONFIG% --output-on-failure --no-tests=error
exit /b %errorlevel%
