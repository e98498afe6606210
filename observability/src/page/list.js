// ---- list.js: a list of any length that keeps only the rows in sight in the document ----

const ROW = 22; // as in page.css
const AROUND = 8;

class VirtualList {
    constructor(scroller, render) {
        this.scroller = scroller;
        this.render = render;
        this.count = 0;
        this.shown = new Map();
        this.canvas = make('div', 'canvas');
        this.canvas.setAttribute('role', 'presentation');
        scroller.append(this.canvas);
        scroller.addEventListener('scroll', () => this.update(), { passive: true });
        new ResizeObserver(() => this.update()).observe(scroller);
    }

    // Everything anew: other rows, or other looks of the same.
    reset(count) {
        this.count = count;
        this.canvas.style.height = count * ROW + 'px';
        this.shown.forEach((row) => row.remove());
        this.shown.clear();
        this.update();
    }

    update() {
        const top = this.scroller.scrollTop;
        const first = Math.max(0, Math.floor(top / ROW) - AROUND);
        const behind = Math.min(this.count, Math.ceil((top + this.scroller.clientHeight) / ROW) + AROUND);
        this.shown.forEach((row, index) => {
            if (index >= first && index < behind) return;
            row.remove();
            this.shown.delete(index);
        });
        for (let index = first; index < behind; index++) {
            if (this.shown.has(index)) continue;
            const row = this.render(index);
            row.style.top = index * ROW + 'px';
            this.shown.set(index, row);
            this.canvas.append(row);
        }
    }

    reveal(index) {
        const { scrollTop, clientHeight } = this.scroller;
        if (index * ROW < scrollTop) this.scroller.scrollTop = index * ROW - ROW;
        else if ((index + 1) * ROW > scrollTop + clientHeight)
            this.scroller.scrollTop = (index + 2) * ROW - clientHeight;
        this.update();
    }

    get page() {
        return Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 1);
    }
}

// Where a key leads from an index; undefined for a key that does not move.
function moveBy(key, index, list) {
    const last = list.count - 1;
    const to = {
        ArrowDown: index + 1, j: index + 1, ArrowUp: index - 1, k: index - 1, Home: 0, End: last,
        PageDown: index + list.page, PageUp: index - list.page,
    }[key];
    return to === undefined ? undefined : Math.min(last, Math.max(0, to));
}

// A handle that sets the width of what is right of it while it is dragged, or by the arrow keys.
function makeDivider(handle, panel, propertyNow) {
    const set = (width) => {
        const value = Math.min(innerWidth - 320, Math.max(240, width));
        document.documentElement.style.setProperty(propertyNow(), value + 'px');
    };
    handle.tabIndex = 0;
    handle.addEventListener('pointerdown', (event) => {
        const from = event.clientX, begin = panel.offsetWidth;
        const move = (moved) => set(begin + from - moved.clientX);
        handle.setPointerCapture(event.pointerId);
        handle.addEventListener('pointermove', move);
        handle.addEventListener('pointerup', () => handle.removeEventListener('pointermove', move), { once: true });
        event.preventDefault();
    });
    handle.addEventListener('keydown', (event) => {
        if (event.key === 'ArrowLeft') set(panel.offsetWidth + 16);
        if (event.key === 'ArrowRight') set(panel.offsetWidth - 16);
    });
}
