"""How a step goes over many contracts: in pages, and one by one."""
