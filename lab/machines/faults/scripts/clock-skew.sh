# shellcheck shell=bash
# clock-skew.sh start DAYS | end: every program that is started from now on sees the time of DAYS days later (earlier,
# if negative). Programs in Go ask the kernel, not libc: they see the real one.
library=/usr/local/lib/gcelab/libfaketime.so
rm -f /etc/ld.so.preload
[[ $1 == start ]] || { rm -f /etc/faketimerc "$library"; exit 0; }
printf '%+dd\n' "$2" >/etc/faketimerc
printf '%s\n' "$library" >/etc/ld.so.preload
