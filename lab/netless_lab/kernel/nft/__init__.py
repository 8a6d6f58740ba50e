"""nftables over raw netlink: no ``nft`` binary, no library. ``batch`` changes rules, ``read`` lists them, ``render`` puts them in words."""
