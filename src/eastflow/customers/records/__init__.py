"""What the bank holds of a party beyond its name: documents, contact points, consents and the like, with history."""
