/** What to do with a network that cannot be built from its weights alone, as the end of a sentence. */
export const exportAdvice = 'export the network with torch.onnx.export and give the ONNX file'
