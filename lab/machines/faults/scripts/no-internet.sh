# shellcheck shell=bash
# no-internet.sh start | end: as without external address and Cloud NAT, packets to anywhere but the metadata server
# get lost, those of containers too. Answers to whoever connects to the instance leave as before.
table=gcelab_no_internet
nft delete table inet "$table" 2>/dev/null || true
[[ $1 == start ]] || exit 0
nft -f - <<NFT
table inet $table {
  chain output {
    type filter hook output priority 10;
    oifname != "eth0" accept
    ct state established,related accept
    # The metadata server, as boot.nft translates it.
    ct original ip daddr 169.254.169.254 ct original proto-dst 80 accept
    drop
  }
  chain forward {
    type filter hook forward priority 10;
    oifname != "eth0" accept
    ct state established,related accept
    drop
  }
}
NFT
