@echo off
rem Builds Ringside on Windows with what is there: Visual Studio, else a MinGW gcc. Where both are,
rem RINGSIDE_COMPILER=mingw (or msvc) decides.
rem Sets RS_BUILD (the build folder), RS_BIN (the programs) and RS_CONFIG (for ctest -C).
rem RS_RESULT: 0 built, 1 the build failed, 2 something is missing (one line says what). Wine's
rem cmd turns what a called script exits with into 1, hence the variable.
rem Called by tests\run.cmd and bench\compare.cmd.

set RS_VSWHERE=%ProgramFiles(x86)%\Microsoft Visual Studio\Installer\vswhere.exe
set RS_CONFIG=RelWithDebInfo
set RS_KIND=
set RS_RESULT=2
call :find RS_CL cl.exe
call :find RS_GCC gcc.exe
call :find RS_CMAKE cmake.exe
call :find RS_NINJA ninja.exe
if defined RS_GCC set RS_KIND=mingw
if exist "%RS_VSWHERE%" set RS_KIND=msvc
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
cmake -S "%~dp0.." -B "%RS_BUILD%" -G "%RS_GENERATOR%" -DCMAKE_C_COMPILER=gcc -DCMAKE_EXE_LINKER_FLAGS=-static || exit /b 1
cmake --build "%RS_BUILD%" --parallel || exit /b 1
set RS_RESULT=0
exit /b 0

:msvc
set RS_BIN=%RS_BIN%\%RS_CONFIG%
pushd "%~dp0.."
cmake --preset msvc && cmake --build --preset msvc --parallel && set RS_RESULT=0
popd
exit /b %RS_RESULT%

:find
set %1=%~$PATH:2
exit /b 0
