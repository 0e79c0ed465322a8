// On a phone a row of a table is a card, where the head of its column stands beside each cell; names of code may break at
// their joints.
for (const table of document.querySelectorAll("article table")) {
  const heads = Array.from(table.querySelectorAll("thead th"), (head) => head.textContent.trim());
  for (const row of table.tBodies[0]?.rows ?? []) {
    Array.from(row.cells).forEach((cell, column) => {
      if (heads[column] && cell.textContent.trim()) cell.dataset.label = heads[column];
    });
  }
  for (const piece of table.querySelectorAll("td + td code .pre")) {
    const [first, ...others] = piece.textContent.split(/(?<=[_/:])(?=[^_/:])/);
    piece.replaceChildren(first, ...others.flatMap((part) => [document.createElement("wbr"), part]));
  }
}

// What a reader of the screen and a keyboard need and Furo leaves out.
for (const caption of document.querySelectorAll(".caption[role=heading]")) caption.ariaLevel = "2";
for (const block of document.querySelectorAll("pre")) block.tabIndex = 0;
