@rem SPDX-License-Identifier: MIT
@echo off
rem bench\compare.cmd [--no-build] [OPTIONS]: builds, then runs compare.exe, which does all the
rem measuring: iocp_server and rio_server in turn (A B B A) under the same loads, tables and a
rem report in build\compare. --help lists its options and builds nothing; the exit code is its own.
rem --no-build, before all others, takes what was built: by Visual Studio, else by MinGW
rem (RINGSIDE_COMPILER decides where both are), else by the cross build on Debian.
rem Exit 2: something to build or run is missing (one line says what), or a bad option.
rem bench/compare.sh is its counterpart on Debian.
setlocal
set RS_OPTIONS=%*
set RS_HERE=%~dp0
set RS_NO_BUILD=
if "%~1"=="--no-build" set RS_NO_BUILD=yes
rem Cut off as text: shift leaves %* alone, and %1 %2 ... would split options at = and commas.
if defined RS_NO_BUILD set RS_OPTIONS=%RS_OPTIONS:*--no-build=%

:next
if "%~1"=="" goto start
if "%~1"=="-h" goto help
if "%~1"=="-?" goto help
if "%~1"=="--help" goto help
if "%~1"=="--version" goto help
if "%~1"=="--list" goto help
shift
goto next

:start
if defined RS_NO_BUILD goto built
call "%RS_HERE%..\scripts\build-windows.cmd"
if not %RS_RESULT%==0 exit /b %RS_RESULT%
goto compare

:built
call :find
if defined RS_BIN goto compare
echo ringside: --no-build: no compare.exe in build\msvc, build\mingw or build\windows: run bench\compare.cmd without it first
exit /b 2

:help
call :find
if defined RS_BIN goto compare
echo bench\compare.cmd [--no-build] [OPTIONS]: builds, then runs compare.exe, which measures iocp_server
echo and rio_server in turn under the same loads. --no-build, before all others, takes what was built.
echo It is not built yet; docs\settings.md lists its options, docs\compare.md the scenarios.
exit /b 0

:compare
pushd "%RS_HERE%.."
"%RS_BIN%\compare.exe" %RS_OPTIONS%
set RS_RESULT=%ERRORLEVEL%
popd
exit /b %RS_RESULT%

:find
set RS_BIN=
call :look windows\bin
if not "%RINGSIDE_COMPILER%"=="msvc" call :look mingw\bin
if not "%RINGSIDE_COMPILER%"=="mingw" call :look msvc\bin\RelWithDebInfo
exit /b 0

:look
if exist "%RS_HERE%..\build\%1\compare.exe" set RS_BIN=%RS_HERE%..\build\%1
exit /b 0
