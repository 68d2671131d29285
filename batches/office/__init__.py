"""The cooperative's office: what asks for its eye, what the village did today, what lies too long."""
