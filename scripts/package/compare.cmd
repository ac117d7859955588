@rem SPDX-License-Identifier: MIT
@echo off
rem compare.cmd [OPTIONS]: iocp_server and rio_server in turn under the same loads. --help lists the
rem options; the exit code is compare.exe's. Results: build\compare beside this file, or --out.
setlocal
set RS_OPTIONS=%*
pushd "%~dp0"
bin\compare.exe %RS_OPTIONS%
set RS_RESULT=%ERRORLEVEL%
popd
exit /b %RS_RESULT%
