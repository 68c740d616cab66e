# shellcheck shell=bash
# clock-skew.sh start DAYS | end: every program that is started from now on sees the time of DAYS days later (earlier,
# if negative). Programs in Go ask the kernel, not libc: they see the real one.
folder=/usr/local/lib/gcelab
rm -f /etc/ld.so.preload
[[ $1 == start ]] || { rm -rf "$folder"; exit 0; }
printf '%d\n' "$(($2 * 86400))" >"$folder/seconds-ahead"
printf '%s\n' "$folder/clock.so" >/etc/ld.so.preload
