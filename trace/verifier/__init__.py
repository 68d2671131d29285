"""The verifiers that readers run themselves: in their browser, and as one Python file."""
