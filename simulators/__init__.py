"""Programs that play the other side. No part of the product, and never imported by it."""
