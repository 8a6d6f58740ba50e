"""Why did it die? Facts from the kernel about one packet: routing decisions, counters, connection table, nftables trace, drop reasons."""
