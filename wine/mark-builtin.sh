#!/bin/sh
# SPDX-License-Identifier: MIT
# mark-builtin.sh FILE.dll: marks a PE file as one half of a Wine builtin pair.
# Wine looks for this text, with its zero byte, at offset 64 of the file (inside the DOS stub, which
# nothing else uses); `winebuild --builtin` writes the same. Real Windows ignores it.
set -eu
printf 'Wine builtin DLL\0' | dd of="$1" bs=1 seek=64 conv=notrunc status=none
