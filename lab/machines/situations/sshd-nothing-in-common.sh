# shellcheck shell=bash
# On an instance: sshd offers nothing for one part of the handshake that an SSH library of today speaks.
# Source: https://github.com/mscdex/ssh2/issues/621 ("no matching key exchange algorithm"); sshd_config(5)
# Argument: `kex` (without it), `mac`, or `host-key`, where the host shows nothing but a certificate.
case ${1:-kex} in
  kex) echo 'KexAlgorithms sntrup761x25519-sha512@openssh.com' ;;
  mac) printf '%s\n' 'Ciphers aes256-ctr' 'MACs umac-128-etm@openssh.com' ;;
  host-key)
    [[ -e /etc/ssh/theirs-ca ]] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/theirs-ca
    ssh-keygen -q -s /etc/ssh/theirs-ca -h -I theirs /etc/ssh/ssh_host_ed25519_key.pub
    printf '%s\n' 'HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub' \
      'HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com' ;;
  *) exit 2 ;;
esac >/etc/ssh/sshd_config.d/20-theirs.conf
sshd -t
systemctl reload ssh.service
