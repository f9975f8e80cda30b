import { assets } from './assets.js';
import { type Html, html } from './html.js';

/** A whole page around what it shows. */
export function layout(base: string, path: string, { title, body }: { title: string; body: Html }): string {
    const from = `${base}/assets/${assets().version}`;
    const link = (to: string, name: string) =>
        html`<a href="${base}${to}"${to === path && html` aria-current="page"`}>${name}</a>`;
    return html`<!doctype html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · bot</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${from}/page.css">
    <script type="module" src="${from}/page.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><nav aria-label="Pages">${link('', 'Jobs')}${link('/timeline', 'Timeline')}${link('/processes', 'Processes')}${link('/check', 'Check')}</nav><span id="live" role="status"></span></header>
<main id="main">${body}</main>
</body>
</html>
`.text;
}
