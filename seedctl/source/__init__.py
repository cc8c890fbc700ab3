"""Read the backend from the project's own source, by running Amplify's packages in Node.

``synth.mjs`` lets the project's packages synthesize ``amplify/backend.ts`` into a temporary folder;
``seedctl.outputs`` makes the outputs document from it. Only ``seedctl local init`` does this. Other
commands use digests of the source files, without Node, to notice that the document is out of date.
"""
