"""What stands on suspense, by the payment or the file whose money it is, until it leaves or a person moves it."""
