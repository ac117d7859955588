@rem SPDX-License-Identifier: MIT
@echo off
rem Builds Ringside on Windows with what is there: Visual Studio with its C++ workload, else a MinGW
rem gcc. Where both are, RINGSIDE_COMPILER=mingw (or msvc) decides.
rem Sets RS_BUILD (the build folder), RS_BIN (the programs) and RS_CONFIG (for ctest -C).
rem RS_RESULT: 0 built, 1 the build failed, 2 something is missing (one line says what). Wine's
rem cmd turns what a called script exits with into 1, hence the variable.
rem Called by tests\run.cmd and bench\compare.cmd. RS_VSWHERE, set before, is another vswhere.exe.

if not defined RS_VSWHERE set RS_VSWHERE=%ProgramFiles(x86)%\Microsoft Visual Studio\Installer\vswhere.exe
rem A generator that the environment asks for would take the place of the preset's.
set CMAKE_GENERATOR=
set CMAKE_GENERATOR_PLATFORM=
set CMAKE_GENERATOR_TOOLSET=
set CMAKE_GENERATOR_INSTANCE=
set RS_CONFIG=RelWithDebInfo
set RS_KIND=
set RS_RESULT=2
call :find RS_CL cl.exe
call :find RS_GCC gcc.exe
call :find RS_CMAKE cmake.exe
call :find RS_NINJA ninja.exe
if defined RS_GCC set RS_KIND=mingw
if exist "%RS_VSWHERE%" call :ask_vswhere
if defined RS_CL set RS_KIND=msvc
if "%RINGSIDE_COMPILER%"=="mingw" if defined RS_GCC set RS_KIND=mingw
if "%RINGSIDE_COMPILER%"=="mingw" if not defined RS_GCC set RS_KIND=
if "%RINGSIDE_COMPILER%"=="msvc" if %RS_KIND%x==mingwx set RS_KIND=
if not defined RS_KIND (
    echo ringside: no C compiler found: install Visual Studio 2022 with C++, or put MinGW-w64's gcc in PATH
    exit /b 2
)
if not defined RS_CMAKE (
    echo ringside: cmake was not found in PATH: install CMake 3.25 or later
    exit /b 2
)

set RS_RESULT=1
set RS_BUILD=%~dp0..\build\%RS_KIND%
set RS_BIN=%RS_BUILD%\bin
if %RS_KIND%==msvc goto msvc
set RS_GENERATOR=MinGW Makefiles
if defined RS_NINJA set RS_GENERATOR=Ninja
rem Not with || and &&: Wine's cmd takes the second command of both.
cmake -S "%~dp0.." -B "%RS_BUILD%" -G "%RS_GENERATOR%" -DCMAKE_C_COMPILER=gcc -DCMAKE_EXE_LINKER_FLAGS=-static
if errorlevel 1 exit /b 1
cmake --build "%RS_BUILD%" --parallel
if errorlevel 1 exit /b 1
set RS_RESULT=0
exit /b 0

:msvc
set RS_BIN=%RS_BIN%\%RS_CONFIG%
pushd "%~dp0.."
cmake --preset msvc
if not errorlevel 1 cmake --build --preset msvc --parallel
if not errorlevel 1 set RS_RESULT=0
popd
exit /b %RS_RESULT%

:ask_vswhere
rem It prints the path of an installation that has the C++ tools, or nothing: the size tells. Not with
rem for /f: what it does with quotes around a path depends on the path.
set RS_FOUND=%TEMP%\ringside-vswhere-%RANDOM%.txt
"%RS_VSWHERE%" -latest -products * -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath >"%RS_FOUND%"
for %%F in ("%RS_FOUND%") do if %%~zF GTR 2 set RS_KIND=msvc
del "%RS_FOUND%"
exit /b 0

:find
set %1=%~$PATH:2
exit /b 0
