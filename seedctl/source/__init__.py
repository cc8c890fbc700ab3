"""The backend as the project's own source describes it: read by running Amplify's packages in Node.

``synth.mjs`` has the project's packages synthesize ``amplify/backend.ts`` into a temporary folder;
``seedctl.outputs`` makes the outputs document of it. Only ``seedctl local init`` runs this. The digests
of the sources, by which other commands notice that the file is out of date, need no Node.
"""
