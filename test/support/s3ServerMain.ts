/**
 * The test S3 as a program of its own, for tests that kill things: `node s3ServerMain.mjs '{"accessKeyId":
 * "…", "secretAccessKey": "…"}'` prints its endpoint and runs until it is killed.
 */
import { startS3Server, type S3ServerOptions } from './s3Server.ts'

const server = await startS3Server(JSON.parse(process.argv[2] ?? '') as S3ServerOptions)
console.log(server.endpoint)
