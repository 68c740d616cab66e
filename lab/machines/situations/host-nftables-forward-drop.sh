# shellcheck shell=bash
# On an instance: the owner's nftables drop all that is forwarded, and so what is on its way to containers.
# Source: https://github.com/containers/netavark/issues/977, https://wiki.nftables.org/wiki-nftables/index.php/Simple_ruleset_for_a_server
cat >/etc/nftables.conf <<'NFT'
#!/usr/sbin/nft -f
# Not `flush ruleset`, as it would be on a real machine: the lab's VPC is among the rules.
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif lo accept
    meta l4proto { 1, 58 } accept
    tcp dport 22 accept
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
NFT
nft -f /etc/nftables.conf
systemctl enable --quiet nftables.service
