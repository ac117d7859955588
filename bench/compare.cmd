@echo off
rem bench\compare.cmd: builds, then puts iocp_server and rio_server in turn (A B B A) under the
rem same load and shows what loadgen says of each run. Every run's figures are left as JSON in
rem build\compare. Exit 2: something to build with is missing (one line says what).
rem bench/compare.sh is its counterpart on Debian.
setlocal
call "%~dp0..\scripts\build-windows.cmd"
if not %RS_RESULT%==0 exit /b %RS_RESULT%
set RS_OUT=%~dp0..\build\compare
if not exist "%RS_OUT%" mkdir "%RS_OUT%"
set RS_PORT=4170
set RS_FAILED=0
set RS_RUN=0
for %%S in (iocp_server rio_server rio_server iocp_server) do call :run %%S
if not %RS_FAILED%==0 echo compare: %RS_FAILED% runs failed or were void
echo Figures of each run: %RS_OUT%
if not %RS_FAILED%==0 exit /b 1
exit /b 0

rem A batch file cannot press Ctrl+C for a program: each server ends by its own --duration.
:run
set /a RS_RUN+=1
set RS_BASE=%RS_OUT%\%1.%RS_RUN%
if not exist "%RS_BIN%\%1.exe" (
    echo compare: %1.exe was not built: left out
    exit /b 0
)
echo == run %RS_RUN%: %1, 64 connections, one 32-byte frame in flight on each
start "" /b "%RS_BIN%\%1.exe" --port %RS_PORT% --duration 9 --json "%RS_BASE%.server.json"
ping -n 3 127.0.0.1 >nul
"%RS_BIN%\loadgen.exe" --port %RS_PORT% --connections 64 --depth 1 --size 32 --seconds 3 --warmup 1 --json "%RS_BASE%.load.json"
if errorlevel 1 set /a RS_FAILED+=1
ping -n 7 127.0.0.1 >nul
set /a RS_PORT+=1
exit /b 0
