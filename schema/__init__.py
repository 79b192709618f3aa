"""What can be asked: the words of the GraphQL schema, one file per noun, and the planning and running of operations.

It never knows HTTP or tokens. Types bind to the catalog by name (`schema.node`); `schema.sdl` puts them together.
"""
