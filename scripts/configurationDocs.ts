// Writes docs/configuration.md from the schema of src/cli/settings/optionSchema.ts: `node --import tsx scripts/configurationDocs.ts`.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { environmentName, flagName, noFlag, settingFacts, type SettingFacts } from '../src/cli/settings/optionFacts.ts'
import { groupTitles, settingNames } from '../src/cli/settings/optionSchema.ts'

const introduction = `# Configuration

<!-- Made from src/cli/settings/optionSchema.ts by scripts/configurationDocs.ts; edit the schema, not this file. -->

Every option can be given in four places; a later one wins:

1. the default,
2. a file, \`--config FILE\` (or \`HEADLIGHT_CONFIG\`), in YAML or JSON, with the option's name as key,
3. the environment, under the name given below (an empty variable counts as not set),
4. a flag of the command. A switch is taken back with \`--no-…\`, as in \`--no-logits\`.

A key in the file that is no option is an error that says its line and suggests the right one. One file may serve
several commands: what a command has no use for is left alone. Paths are relative to the folder in which headlight is
started. [config/](../config) holds commented examples. \`headlight COMMAND --help\` shows which options a command takes.

Access to S3 is the AWS SDK's own matter: \`AWS_ACCESS_KEY_ID\`, \`AWS_PROFILE\`, roles and so on. The region is that of
\`AWS_REGION\`, \`AWS_DEFAULT_REGION\` or the profile, also beside \`--s3-endpoint\`; with an endpoint and no region it is
\`us-east-1\`. \`AWS_ENDPOINT_URL_S3\`, \`AWS_ENDPOINT_URL\` and a profile's \`endpoint_url\` name a service, too. Set them for
the workers as well: unlike \`--s3-endpoint\`, which travels with the run, they count for one process. \`--s3-endpoint\` asks
for a bucket in the path of the URL; an endpoint of the environment is asked so where its host takes no prefix
(\`localhost\`, a name without a dot, an IP address).

Credentials that the service refuses are looked for once more, in the files too, and the request is sent again where
there are others: programs that renew \`~/.aws/credentials\` need no restart of headlight. Variables of the environment
are those that the process was started with.

## Output and exit codes

Results go to standard output, progress and logs to standard error. With \`--json\`, standard output is one JSON
document, also when the command fails: \`{"error": {"code": "…", "message": "…"}}\`.

An output that nobody reads any more (\`headlight run … | head -1\`, a pager that was left, a full disk) changes nothing:
what cannot be written is dropped, the work goes on to its end, and the exit code is that of the work. Only
\`status --watch\` ends then, since it does nothing but show. Closing the terminal interrupts a command as Ctrl-C does;
one that has no terminal on any of its three streams, as under \`nohup\`, takes no notice.

| exit code | meaning                                                                                       |
| --------- | --------------------------------------------------------------------------------------------- |
| 0         | done, also when some images became failed records                                             |
| 1         | a fault of the program, or of a store or queue that failed midway                             |
| 2         | what was given cannot work: an option, a URI, a network, a dataset                            |
| 3         | \`--strict\` and failed records, or files left out that may be images                           |
| 130       | interrupted by Ctrl-C, SIGTERM or a closed terminal (\`worker\` and \`producer\` end with 0 then) |
`

/** The whole page, in Markdown. */
export function configurationDocs(): string {
  const groups = new Map<string, string[]>()
  for (const name of settingNames) {
    const facts = settingFacts(name)
    groups.set(facts.group, [...(groups.get(facts.group) ?? []), section(name, facts)])
  }
  const parts = [...groups].map(([group, sections]) => `## ${groupTitles[group] ?? group}\n\n${sections.join('\n')}`)
  return [introduction, ...parts].join('\n')
}

function section(name: string, facts: SettingFacts): string {
  const value = facts.kind === 'boolean' ? '' : ` ${facts.placeholder ?? 'NAME'}`
  const rows = [
    `- flag \`${facts.default === true ? noFlag(name) : `--${flagName(name)}${value}`}\`, environment \`${environmentName(name)}\``,
    `- ${kindText(facts)}`,
  ]
  if (facts.automatic) rows.push(`- default: ${facts.automatic}`)
  else rows.push(`- default: ${facts.default === undefined ? 'none' : `\`${String(facts.default)}\``}`)
  return `### ${name}\n\n${facts.description}\n\n${rows.join('\n')}\n`
}

function kindText({ kind, choices, minimum, maximum, unit }: SettingFacts): string {
  switch (kind) {
    case 'choice':
      return `one of ${(choices ?? []).map((choice) => `\`${choice}\``).join(', ')}`
    case 'integer':
    case 'number': {
      const bounds = maximum === undefined ? `at least ${minimum}` : `${minimum} to ${maximum}`
      return `${kind === 'integer' ? 'whole number' : 'number'}, ${bounds}${unit ? `, in ${unit}` : ''}`
    }
    case 'boolean':
      return '`true` or `false`'
    case 'list':
      return 'text, or a list of texts'
    case 'text':
      return 'text'
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationDocs())
}
