/**
 * A pino JSON line as a person reads it: `17:04:31 warning: unit 2 did not answer (unit=2 silentMs=120000)`. What is no
 * such line comes back unchanged.
 */
export function readableLogLine(line: string): string {
  const entry = parseLine(line)
  if (entry === undefined) return line
  const { level, time, msg, err, ...rest } = entry
  const clock = typeof time === 'number' ? `${new Date(time).toTimeString().slice(0, 8)} ` : ''
  const name = level === 'warn' ? 'warning' : level
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const cause = err !== null && typeof err === 'object' && 'message' in err ? [`cause: ${String(err.message)}`] : []
  const details = [...cause, ...fields].join(' ')
  return `${clock}${typeof name !== 'string' || name === 'info' ? '' : `${name}: `}${typeof msg === 'string' ? msg : ''}${details === '' ? '' : ` (${details})`}`
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
