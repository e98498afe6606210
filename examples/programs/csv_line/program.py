def split_line(line, separator=","):
    """Split one line of CSV into its fields.

    A field may stand in double quotes; inside them the separator is ordinary text and
    a quote is written twice.
    """
    fields = []
    field = ""
    quoted = False
    for letter in line:
        if letter == '"':
            quoted = not quoted
        elif letter == separator and not quoted:
            fields.append(field)
            field = ""
        else:
            field += letter
    fields.append(field)
    return fields
