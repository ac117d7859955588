@rem SPDX-License-Identifier: MIT
@echo off
rem first-day.cmd [--smoke]: what only Windows can tell, all of it, into one folder to be sent.
rem
rem Leaves the folder first-day beside this file (first-day-2 and so on where there is one):
rem   summary.txt        each part's exit code (0 good, 77 not possible here)
rem   machine.txt        processor, Windows, network providers, ports, power plan
rem   VERSION.txt        what was run
rem   rio_contract.txt   the contract of the system's own RIO; .json: what each open question saw
rem   conformance_*.txt  both servers' back ends against their contract
rem   notes.txt          the statements of the course notes as experiments; .html: a page; .json
rem   compare\           the comparison: report.html, results.json
rem --smoke: one case of each and the shortest comparison, to see that this script works.
rem Exit 0: every part ended with 0.
rem Where RINGSIDE_RIO_PROVIDER is set (Wine) that is tested in the place of Windows' own RIO.
setlocal
cd /d "%~dp0"
set RS_SMOKE=
if "%~1"=="--smoke" set RS_SMOKE=yes
if "%~1"=="" goto folder
if defined RS_SMOKE goto folder
echo first-day: unknown option %1 (only --smoke)
exit /b 2

:folder
set RS_OUT=first-day
set RS_NUMBER=1
:another
if not exist "%RS_OUT%" goto start
set /a RS_NUMBER=%RS_NUMBER%+1
set RS_OUT=first-day-%RS_NUMBER%
goto another

:start
mkdir "%RS_OUT%"
if not exist "%RS_OUT%" goto unwritable
set RS_FAILED=0
copy VERSION.txt "%RS_OUT%\VERSION.txt" >nul
call :machine >"%RS_OUT%\machine.txt" 2>&1

set RS_ONLY=
if defined RS_SMOKE set RS_ONLY=--only accept_and_echo
set RS_PROVIDER=--provider windows
if defined RINGSIDE_RIO_PROVIDER set RS_PROVIDER=
set RS_LOAD=--quick
set RS_NOTES=--all --repeat 5
if defined RS_SMOKE set RS_NOTES=a1 b1 b15 --repeat 1
if defined RS_SMOKE set RS_LOAD=--scenario ping-pong --repeat 1 --seconds 0.3 --warmup 0.1 --disturbed-max 100

call :part rio_contract %RS_PROVIDER% --json "%RS_OUT%\rio_contract.json"
for %%N in (iocp iocp_alternatives rio rio_event rio_poll) do call :part conformance_%%N %RS_ONLY%
call :part notes %RS_NOTES% --json "%RS_OUT%\notes.json" --html "%RS_OUT%\notes.html"
call :part compare %RS_LOAD% --progress off --out "%RS_OUT%\compare"

echo first-day: done; please send the folder %~dp0%RS_OUT%
if not %RS_FAILED%==0 echo first-day: %RS_FAILED% parts did not end with 0: %RS_OUT%\summary.txt names them
if not %RS_FAILED%==0 exit /b 1
exit /b 0

:unwritable
echo first-day: cannot make the folder %~dp0%RS_OUT%
exit /b 1

:part
rem part PROGRAM [OPTIONS]
echo first-day: %1
bin\%* >"%RS_OUT%\%1.txt" 2>&1
set RS_CODE=%ERRORLEVEL%
echo %1: exit %RS_CODE%>>"%RS_OUT%\summary.txt"
if not %RS_CODE%==0 set /a RS_FAILED=%RS_FAILED%+1
exit /b 0

:machine
rem No names of users, machines or networks.
ver
echo processors %NUMBER_OF_PROCESSORS%, %PROCESSOR_IDENTIFIER%
reg query "HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor\0" /v ProcessorNameString
reg query "HKLM\HARDWARE\DESCRIPTION\System\BIOS" /v SystemProductName
reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v ProductName
reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v DisplayVersion
reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v CurrentBuild
reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion" /v UBR
netsh winsock show catalog
netsh int ipv4 show dynamicport tcp
netsh int tcp show global
powercfg /getactivescheme
exit /b 0
