"""The tests: real servers, no mocks, one stack a session."""
