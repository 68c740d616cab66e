# shellcheck shell=bash
# On an instance: sshd offers what hardening guides leave of it.
# Source: https://www.ssh-audit.com/hardening_guides.html (Debian)
cat >/etc/ssh/sshd_config.d/20-hardened.conf <<'SSHD'
KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes256-ctr
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,umac-128-etm@openssh.com
HostKeyAlgorithms ssh-ed25519,rsa-sha2-512
SSHD
sshd -t
systemctl reload ssh.service
