"""The book's own HTML, CSS and JavaScript; base.css and dom.js are those of all pages, in minis2s/viewer/web."""
