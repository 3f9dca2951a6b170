"""What a request can be refused for, by the names that gRPC and TensorFlow Serving give it."""

HTTP_CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "NOT_FOUND": 404,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}


class RequestError(Exception):
    """A request that is not answered.

    Attributes:
      code: One of HTTP_CODES.
      message: What is wrong with it, for whoever sent it.
    """

    def __init__(self, message: str, code: str = "INVALID_ARGUMENT") -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def http(self) -> int:
        """Status code over HTTP."""
        return HTTP_CODES[self.code]


class CellError(Exception):
    """A value that is refused.

    Attributes:
      row: Its row, from 0, as TensorFlow Serving counts elements.
      column: Its column.
      text: What is wrong with it.
    """

    def __init__(self, row: int, column: str, text: str) -> None:
        super().__init__(text)
        self.row, self.column, self.text = row, column, text

    def __str__(self) -> str:
        return f"row {self.row}, column '{self.column}': {self.text}"
