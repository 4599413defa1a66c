"""PDF by geometry: glyphs to words, lines, columns, tables and paragraphs, with the place of each line.

`pages` asks PDFium for words, rules, notes and form values; `columns`, `tables` and `paragraphs` lay out one
page; `running` and `headings` look at all pages together. `readers/pdf.py` calls them in this order. All
work in a page's reading frame (`frames`), where text runs from left to right and down.
"""
