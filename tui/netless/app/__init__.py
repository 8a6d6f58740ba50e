"""The Textual application: screens, widgets, messages and the pure reduction of events to what they paint."""
