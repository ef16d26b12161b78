"""What classes and functions take, beside what their docstrings say of it; read without a CST."""
