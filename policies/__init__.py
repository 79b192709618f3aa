"""Access control: the policy language, its compiler, and the grants of a caller. Depends on no SQL, GraphQL or HTTP.

policy.csv, model.conf, tests.yaml   the shipped policy, its Casbin model, its tests
catalog                              what a policy is compiled against: resources, field classes, attributes, claims
text > condition > compile > policy  lines, row conditions, the compiler (and its specification), the compiled value
predicate                            row predicates: simplification, implication, evaluation
grant                                what a caller may do, by all their appointments: read this after compile
explain                              why a caller may or may not
words, sheet, matrix, diff           the policy in Chinese: labels, grant sheet, table, differences of two policies
edit                                 structured edits of a policy text
escalation                           what a draft would grant beyond today, and who could still administer the policy
testing/                             suite (YAML), run, mutants (mutation testing), oracle (Casbin)
"""
