"""The list of solutions, filled by the decorator @solves(exercise, style)."""
SOLUTIONS = []


def solves(exercise, style):
    def add(f):
        SOLUTIONS.append((exercise, style, f))
        return f
    return add
