import { escapeHtml } from '../report/escaping.ts'
import type { Assets } from './assets.ts'

/** The document of every screen: which one it is, the script reads from the address. */
export function shell({ script, style, icon }: Assets, basePath: string): string {
  const base = escapeHtml(basePath)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="base-path" content="${base}">
<title>headlight</title>
<link rel="icon" type="image/svg+xml" href="${base}${icon.path}">
<link rel="stylesheet" href="${base}${style.path}">
<script type="module" src="${base}${script.path}"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs its script; your browser has scripts switched off.</noscript>
</body>
</html>
`
}

/** A page of one sentence. */
export function plainPage(sentence: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>headlight</title>
<p>${escapeHtml(sentence)}</p>
</html>
`
}
