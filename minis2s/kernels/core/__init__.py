"""What compiled code needs of minis2s/core/.  Start with validation.py.

    validation.py    arrays, checked before a kernel indexes them
    tree.py          a gradient in compiled code: views of one flat array

A file here may import the readable core/, and runtime/.
"""
