// What came, in words for a screen reader: at most one sentence every few seconds, however much comes.
const EVERY_MS = 3000;
const MOST = 3; // in full; of the others their number

export class News {
  constructor() {
    this.places = { alerts: document.querySelector("#news-alerts"), results: document.querySelector("#news-results") };
    this.waiting = { alerts: [], results: [] };
    this.timer = null;
  }

  // kind: "alerts" or "results"; words: of one each.
  tell(kind, words) {
    this.waiting[kind].push(...words);
    if (words.length) this.timer ??= setTimeout(() => this.say());
  }

  say() {
    let said = false;
    for (const [kind, words] of Object.entries(this.waiting)) {
      if (words.length) {
        const more = words.length > MOST ? `; and ${words.length - MOST} more ${kind}` : "";
        this.places[kind].textContent = `New: ${words.slice(0, MOST).join("; ")}${more}`;
        said = true;
      }
      this.waiting[kind] = [];
    }
    this.timer = said ? setTimeout(() => this.say(), EVERY_MS) : null;
  }
}
