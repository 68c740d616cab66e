# shellcheck shell=bash
# apt-lock.sh start SECONDS | end: holds the locks that unattended-upgrades holds while it works. They are fcntl(2)
# locks, which flock(1) cannot take; Perl is on every Debian.
unit=gcelab-apt-lock
held=/run/$unit
systemctl stop "$unit.service" 2>/dev/null || true
rm -f "$held"
[[ $1 == start ]] || exit 0

cat >"$held.pl" <<'PERL'
use strict;
use Fcntl qw(:DEFAULT :seek);
my ($seconds, $mark) = @ARGV;
$0 = 'unattended-upgr';
my @files;
for my $path ('/var/lib/dpkg/lock-frontend', '/var/lib/apt/lists/lock') {
  sysopen(my $file, $path, O_RDWR | O_CREAT, 0640) or die "$path: $!\n";
  # struct flock of a 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid.
  my $lock = pack('s s x4 q q l x4', F_WRLCK, SEEK_SET, 0, 0, 0);
  fcntl($file, F_SETLKW, $lock) or die "$path: $!\n";
  push @files, $file;
}
sysopen(my $file, $mark, O_WRONLY | O_CREAT) or die "$mark: $!\n";
sleep $seconds;
PERL
systemd-run --quiet --collect --unit="$unit" perl "$held.pl" "$2" "$held"
until [[ -e $held ]]; do
  systemctl is-active --quiet "$unit.service" || exit 1
  sleep 0.1
done
