"""At the door of both APIs: tokens, strict bodies, problem documents, positions, listeners."""
