#!/usr/bin/env python3
"""Writes data/alice.txt, a paragraph a line.

The argument is alice29.txt of the Canterbury corpus: edition 2.9 of the Project Gutenberg text of Lewis
Carroll, Alice's Adventures in Wonderland (1865), which is in the public domain. What is not Carroll's is
left out, and so are headings.
"""

import re
import sys
from pathlib import Path

text = Path(sys.argv[1]).read_text(encoding="ascii").replace("\r", "")
text = text[text.index("Alice was beginning to get very tired") : text.rindex("THE END")]
text = re.sub(r"^ *CHAPTER [IVX]+\n+.*\n", "", text, flags=re.MULTILINE)
text = re.sub(r"^[ *]*\*[ *]*\n", "", text, flags=re.MULTILINE)
# a paragraph begins with two spaces, or after an empty line
paragraphs = [" ".join(lines.split()) for lines in re.split(r"\n\s*\n|\n(?=  \S)", text)]
# words that were divided at the end of a line
joined = [re.sub(r"(\w)- (\w)", r"\1-\2", paragraph) for paragraph in paragraphs if paragraph]
output = Path(__file__).parent.parent / "data" / "alice.txt"
output.write_text("\n".join(joined) + "\n")
