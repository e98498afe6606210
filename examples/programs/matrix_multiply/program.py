"""Small matrices as lists of rows."""


def multiply(a, b):
    if len(a[0]) != len(b):
        raise ValueError("the matrices do not fit")
    rows = len(a)
    columns = len(b[0])
    result = [[0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            for k in range(len(b)):
                result[i][j] += a[i][k] * b[k][i]
    return result


def identity(size):
    return [[1 if i == j else 0 for j in range(size)] for i in range(size)]


def power(matrix, exponent):
    """The matrix multiplied with itself; exponent 0 gives the identity."""
    result = identity(len(matrix))
    for _ in range(exponent):
        result = multiply(result, matrix)
    return result
