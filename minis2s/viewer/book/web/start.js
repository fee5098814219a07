// The last script: shows the page that the address names.
root.classList.add("js");
turn(false);
