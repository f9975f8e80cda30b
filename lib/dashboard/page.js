// Pages work without this. With it, they are up to date, and say how long ago things happened.
import { Idiomorph } from './idiomorph.js';
import './relative-time.js';

const EVERY = 2_000;

let etag;
let shown = location.href;
let isAsking = false;

function isBusy() {
    const active = document.activeElement;
    const isTyping = active?.matches('input:not([type=search]), select, textarea') && active.closest('main');
    return isAsking || document.hidden || isTyping;
}

/** Shows what an address has now, where that is anything new. */
async function update(address = shown) {
    isAsking = true;
    try {
        const response = await fetch(address, {
            headers: { accept: 'text/html', ...(etag && address === shown && { 'if-none-match': etag }) },
        });
        if (response.status === 304) return tell('');
        if (!response.ok) return tell(`not up to date: the server answers ${response.status}`);
        const page = new DOMParser().parseFromString(await response.text(), 'text/html');
        etag = response.headers.get('etag');
        shown = address;
        const main = page.querySelector('#main');
        Idiomorph.morph(document.querySelector('#main'), main, {
            morphStyle: 'outerHTML',
            ignoreActiveValue: true,
        });
        document.title = page.title;
        tell('');
    } catch {
        tell('not up to date: the server does not answer');
    } finally {
        isAsking = false;
    }
}

function tell(text) {
    const place = document.querySelector('#live');
    if (place.textContent !== text) place.textContent = text;
}

function poll() {
    if (!isBusy()) update();
}
document.querySelector('.timeline .now')?.scrollIntoView({ inline: 'center', block: 'nearest' });
setInterval(poll, EVERY);
document.addEventListener('visibilitychange', poll);

/** What is typed into a search is looked for at once. */
let typing;
document.addEventListener('input', (event) => {
    const form = event.target.closest('form.filters');
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => {
        const address = new URL(form.action);
        address.search = new URLSearchParams(new FormData(form));
        history.replaceState(null, '', address);
        update(address.href);
    }, 150);
});
