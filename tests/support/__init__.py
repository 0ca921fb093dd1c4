"""What several rooms' tests share: tools from npm, and a chain of their own."""
