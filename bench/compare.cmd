@rem SPDX-License-Identifier: MIT
@echo off
rem bench\compare.cmd [--no-build] [OPTIONS]: builds, then runs compare.exe, which does all the
rem measuring: iocp_server and rio_server in turn (A B B A) under the same loads, tables and a
rem report in build\compare. --help lists its options; the exit code is its own.
rem --no-build, before all others, takes what was built: by Visual Studio, else by MinGW
rem (RINGSIDE_COMPILER decides where both are), else by the cross build on Debian.
rem Exit 2: something to build or run is missing (one line says what), or a bad option.
rem bench/compare.sh is its counterpart on Debian.
setlocal
set RS_OPTIONS=%*
if "%~1"=="--no-build" goto built
call "%~dp0..\scripts\build-windows.cmd"
if not %RS_RESULT%==0 exit /b %RS_RESULT%
goto compare

:built
rem Cut off as text: shift leaves %* alone, and %1 %2 ... would split options at = and commas.
set RS_OPTIONS=%RS_OPTIONS:*--no-build=%
set RS_BIN=
call :look windows\bin
if not "%RINGSIDE_COMPILER%"=="msvc" call :look mingw\bin
if not "%RINGSIDE_COMPILER%"=="mingw" call :look msvc\bin\RelWithDebInfo
if defined RS_BIN goto compare
echo ringside: --no-build: no compare.exe in build\msvc, build\mingw or build\windows: run bench\compare.cmd without it first
exit /b 2

:compare
pushd "%~dp0.."
"%RS_BIN%\compare.exe" %RS_OPTIONS%
set RS_RESULT=%ERRORLEVEL%
popd
exit /b %RS_RESULT%

:look
if exist "%~dp0..\build\%1\compare.exe" set RS_BIN=%~dp0..\build\%1
exit /b 0
