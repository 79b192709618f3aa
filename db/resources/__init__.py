"""The tables as resources of the policy: fields, attributes, relations, actions, states and guards, one file a noun."""
