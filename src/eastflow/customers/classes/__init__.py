"""Account classes: what the real-name rules let a personal account of class I, II or III hold and move."""
