// Types, lint, format and unused code side by side: formatting and looking for unused code keep one core busy, the others two.
import { spawn } from 'node:child_process'

const checks = ['types', 'lint', 'format', 'unused']

/** Says what the check said once it is through, so that the words of two never mix. */
function passes(check) {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', '--silent', `check:${check}`], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      process.stderr.write(Buffer.concat(said))
      if (code !== 0) console.error(`npm run check:${check} failed`)
      resolve(code === 0)
    })
  })
}

if ((await Promise.all(checks.map(passes))).includes(false)) process.exitCode = 1
