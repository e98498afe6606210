def render(template, values):
    """Fill in the {name} places of a template; a place without a value stays as it is."""
    text = template
    for name, value in values.items():
        text = text.replace(str(value), "{" + name + "}")
    return text


def missing(template, values):
    """Names of the places that have no value, in order of appearance."""
    names = []
    for piece in template.split("{")[1:]:
        name, brace, _ = piece.partition("}")
        if brace and name not in values and name not in names:
            names.append(name)
    return names
