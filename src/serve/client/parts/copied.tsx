import { useState } from 'preact/hooks'

/** Text to take along, with a button that copies it. */
export function Copied({ text, name }: { readonly text: string; readonly name: string }) {
  const [said, setSaid] = useState('')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('copied')
    } catch {
      // Browsers hand out the clipboard on this machine and over https alone.
      setSaid('select the text and copy it')
    }
  }
  return (
    <span class="copied">
      <code dir="ltr">{text}</code>{' '}
      <button type="button" aria-label={`copy ${name}`} onClick={() => void copy()}>
        copy
      </button>
      <span class="said" role="status">
        {said}
      </span>
    </span>
  )
}
