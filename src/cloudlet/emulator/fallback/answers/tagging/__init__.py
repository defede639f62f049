"""Tags across services: the Resource Groups Tagging API, and Resource Groups, which are made of tags.

kinds      what native services have that can be tagged, and how
api        GetResources, TagResources and the like
groups     Resource Groups
"""
